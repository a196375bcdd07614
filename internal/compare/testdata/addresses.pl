# Prints the addresses that a Perl module shows for From fields: one field a line on
# standard input and one line of addresses for each on standard output, both in base64,
# addresses separated by NUL. The argument is the module: Email::Address or
# Email::Address::XS.
use strict;
use warnings;
use MIME::Base64;

my $module = shift;
eval "require $module; 1" or die $@;
while (my $line = <STDIN>) {
	my $body = decode_base64($line);
	$body =~ s/\r\n(?=[ \t])//g;
	my @shown = eval { map { $_->address } $module->parse($body) };
	print encode_base64(join("\0", grep { defined } @shown), ""), "\n";
}
