package dkim

type Policy struct{}
type Limits struct{}

type publicKey any
type Warning string
