package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/emersion/go-imap"
)

// Each batch of messages is fetched at once, then read and stored, then marked.
const (
	batchMessages = 50
	batchOctets   = 32 << 20
)

// A letter is a message of the mailbox that was not fetched yet.
type letter struct {
	uid  uint32
	size uint32
}

// letters lists what is to be read.
func (r *remote) letters() ([]letter, error) {
	criteria := imap.NewSearchCriteria()
	if !r.flags.seen {
		criteria.WithoutFlags = []string{imap.SeenFlag, imap.FlaggedFlag}
	}
	criteria.WithoutFlags = append(criteria.WithoutFlags, imap.DeletedFlag)
	uids, err := r.client.UidSearch(criteria)
	if err != nil || len(uids) == 0 {
		return nil, err
	}
	list := make([]letter, 0, len(uids))
	err = r.fetch(uids, []imap.FetchItem{imap.FetchUid, imap.FetchRFC822Size}, func(m *imap.Message) {
		list = append(list, letter{m.Uid, m.Size})
	})
	slices.SortFunc(list, func(a, b letter) int { return cmp.Compare(a.uid, b.uid) })
	return list, err
}

func (r *remote) fetch(uids []uint32, items []imap.FetchItem, each func(*imap.Message)) error {
	set := new(imap.SeqSet)
	set.AddNum(uids...)
	messages := make(chan *imap.Message)
	fetched := make(chan error, 1)
	go func() { fetched <- r.client.UidFetch(set, items, messages) }()
	for m := range messages {
		each(m)
	}
	return <-fetched
}

// next returns the messages of the next batch, and what is left.
func (r *remote) next(list []letter) (batch []item, uids []uint32, rest []letter, err error) {
	size := 0
	for n, l := range list {
		if n > 0 && (n >= batchMessages || size+int(l.size) > batchOctets) {
			break
		}
		if l.size <= maxInput {
			size += int(l.size)
		}
		uids = append(uids, l.uid)
	}
	rest = list[len(uids):]
	batch = make([]item, len(uids))
	var wanted []uint32
	for i, uid := range uids {
		batch[i] = item{name: fmt.Sprintf("%s;UID=%d", r.name(), uid), err: errors.New("it has gone meanwhile")}
		if list[i].size > maxInput {
			batch[i].err = errTooLarge
			continue
		}
		wanted = append(wanted, uid)
	}
	if len(wanted) == 0 {
		return batch, uids, rest, nil
	}
	section := &imap.BodySectionName{Peek: true}
	err = r.fetch(wanted, []imap.FetchItem{imap.FetchUid, section.FetchItem()}, func(m *imap.Message) {
		body := m.GetBody(section)
		if at := slices.Index(uids, m.Uid); at >= 0 && body != nil {
			batch[at] = load(batch[at].name, body)
		}
	})
	return batch, uids, rest, err
}

func (r *remote) name() string {
	return (&url.URL{Scheme: r.url.Scheme, User: url.User(r.url.User.Username()), Host: r.url.Host, Path: "/" + r.folder}).String()
}

// settle marks messages that were stored as seen, and others as flagged, or moves them.
func (r *remote) settle(read, unread []uint32) error {
	for _, part := range []struct {
		uids   []uint32
		folder string
		flag   string
	}{{read, r.flags.moveRead, imap.SeenFlag}, {unread, r.flags.moveUnread, imap.FlaggedFlag}} {
		if len(part.uids) == 0 {
			continue
		}
		set := new(imap.SeqSet)
		set.AddNum(part.uids...)
		var err error
		if part.folder != "" {
			err = r.client.UidMove(set, part.folder)
		} else {
			err = r.client.UidStore(set, imap.FormatFlagsOp(imap.AddFlags, true), []any{part.flag}, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mailbox reads a mailbox: batch by batch, each of which is marked once it is stored.
func (r *reading) mailbox(ctx context.Context, u *url.URL, flags *imapFlags) error {
	remote, err := flags.open(ctx, u, r.inbox != nil)
	if err != nil {
		return err
	}
	defer remote.close()
	list, err := remote.letters()
	for err == nil && len(list) > 0 && ctx.Err() == nil {
		list, err = r.letters(ctx, remote, list)
	}
	if err != nil && err != r.fatal {
		return fmt.Errorf("%s: %w", remote.name(), err)
	}
	return err
}

// letters reads the next batch of a mailbox, and returns what is left.
func (r *reading) letters(ctx context.Context, remote *remote, list []letter) (rest []letter, err error) {
	batch, uids, rest, err := remote.next(list)
	if err != nil {
		return nil, err
	}
	var read, unread []uint32
	for i, in := range batch {
		wrong, open := r.unread, r.open
		if err := r.take(ctx, in); err != nil {
			return nil, err
		}
		switch {
		case r.open > open || ctx.Err() != nil: // it is left as it is, and read again
		case r.unread > wrong:
			unread = append(unread, uids[i])
		default:
			read = append(read, uids[i])
		}
	}
	if r.inbox == nil {
		return rest, nil
	}
	if r.flush(ctx); r.fatal != nil {
		return nil, r.fatal
	}
	return rest, remote.settle(read, unread)
}
