package resolver

import (
	"os"
	"sync"
)

// Default returns the Resolver that a nil one stands for, in every package of this
// module: one [Client] of the system's recursive servers if the system has a
// resolv.conf, else [Net](nil).
//
// Every call returns the same Resolver. It remembers connections and which server
// answered last, no answers.
func Default() Resolver { return systemDefault() }

var systemDefault = sync.OnceValue(func() Resolver {
	if _, err := os.Stat(resolvConf); err != nil {
		return Net(nil)
	}
	return &Client{}
})

func orDefault(r Resolver) Resolver {
	if r == nil {
		return Default()
	}
	return r
}
