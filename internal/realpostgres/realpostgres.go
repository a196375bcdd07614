// Package realpostgres starts a PostgreSQL of its own on loopback, for tests. It does so on Linux.
package realpostgres
