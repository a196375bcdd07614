package spf

type Limits struct{}
