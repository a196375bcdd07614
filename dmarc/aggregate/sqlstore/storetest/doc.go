// Package storetest tests package sqlstore on SQLite and PostgreSQL. It is a module of its own, since
// the database drivers are no dependencies of the library.
//
// The tests on PostgreSQL start a cluster of their own on loopback, with Debian's postgresql, and are
// skipped where that is not installed.
package storetest
