package dkim

type Policy struct{}
type Limits struct{}
type Canonicalization uint8
type publicKey any
type Warning string
