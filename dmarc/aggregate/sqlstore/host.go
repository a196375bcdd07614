package sqlstore

import (
	"context"
	"database/sql"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// maxHosts is how many addresses one question to the database has: databases bound the parameters of
// a statement.
const maxHosts = 500

// HostNames returns the names of hosts that SetHostNames stored since a time: empty ones for hosts that
// had none. Addresses that nobody asked about since then are not in it.
func (b *Inbox) HostNames(ctx context.Context, hosts []netip.Addr, since time.Time) (map[netip.Addr]string, error) {
	names := make(map[netip.Addr]string)
	for part := range slices.Chunk(hosts, maxHosts) {
		args := []any{since.Unix()}
		for _, host := range part {
			args = append(args, host.String())
		}
		err := b.query(ctx, func(scan func(...any) error) error {
			var address, name string
			err := scan(&address, &name)
			if host, invalid := netip.ParseAddr(address); invalid == nil {
				names[host] = name
			}
			return err
		}, `SELECT address, name FROM dmarc_host WHERE asked_at >= ? AND address IN (?`+strings.Repeat(", ?", len(part)-1)+`)`, args...)
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

// SetHostNames stores what DNS says at a time of the names of hosts, which is not looked up here.
func (b *Inbox) SetHostNames(ctx context.Context, names map[netip.Addr]string, now time.Time) error {
	hosts := make([]netip.Addr, 0, len(names))
	for host := range names {
		hosts = append(hosts, host)
	}
	slices.SortFunc(hosts, netip.Addr.Compare) // two programs then wait for each other, and never both do
	return b.store.transaction(ctx, func(tx *sql.Tx) error {
		for _, host := range hosts {
			if _, err := tx.ExecContext(ctx, b.store.sql(`
				INSERT INTO dmarc_host (address, name, asked_at) VALUES (?, ?, ?)
				ON CONFLICT (address) DO UPDATE SET name = excluded.name, asked_at = excluded.asked_at`),
				host.String(), clean(names[host]), now.Unix()); err != nil {
				return err
			}
		}
		return nil
	})
}
