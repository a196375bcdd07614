// Package cmdline reads command lines whose flags may stand before, between and after arguments.
package cmdline

import "flag"

// Parse reads args by the flags of a set, and returns what is none: the arguments. After "--" all
// are.
func Parse(set *flag.FlagSet, args []string) (rest []string, err error) {
	for len(args) > 0 {
		if err := set.Parse(args); err != nil {
			return nil, err
		}
		left := set.Args()
		if ended := len(args) - len(left); ended > 0 && args[ended-1] == "--" {
			return append(rest, left...), nil
		}
		if len(left) == 0 {
			break
		}
		rest = append(rest, left[0])
		args = left[1:]
	}
	return rest, nil
}
