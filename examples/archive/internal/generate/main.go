// Command generate writes an archive of generated messages, to try the program with and to measure it:
//
//	generate -n 10000 -size 4096 DIR
package main

import (
	"flag"
	"log"

	"github.com/mailverdict/mailverdict/examples/archive/internal/generated"
)

func main() {
	n := flag.Int("n", 10_000, "messages")
	size := flag.Int("size", 4096, "octets of each")
	flag.Parse()
	count, err := generated.Write(flag.Arg(0), *n, *size)
	if err != nil {
		log.Fatal(err)
	}
	log.Print(count)
}
