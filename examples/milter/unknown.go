package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/mailverdict/mailverdict/internal/suggest"
)

// unknownKey returns the error for a key that is none, with the key that may have been meant.
func unknownKey(key string) error {
	var known []string
	for _, t := range []reflect.Type{reflect.TypeFor[config](), reflect.TypeFor[listenerConfig]()} {
		for i := range t.NumField() {
			known = append(known, t.Field(i).Tag.Get("toml"))
		}
	}
	if name := suggest.Word(key[strings.LastIndexByte(key, '.')+1:], known); name != "" {
		return fmt.Errorf("unknown key %q: did you mean %q?", key, name)
	}
	return fmt.Errorf("unknown key %q", key)
}
