//go:build integration

package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/mailverdict/mailverdict/internal/realpostgres"
)

// TestRealPostgreSQL runs the tests that have a store with PostgreSQL in place of SQLite.
func TestRealPostgreSQL(t *testing.T) {
	cluster, err := realpostgres.Start()
	if errors.Is(err, realpostgres.ErrAbsent) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Stop()
	sqlite, n := newStore, 0
	defer func() { newStore = sqlite }()
	newStore = func(t *testing.T) string {
		t.Helper()
		n++
		url, err := cluster.Database(fmt.Sprintf("test%d", n))
		if err != nil {
			t.Fatal(err)
		}
		return url
	}
	for name, test := range map[string]func(*testing.T){
		"read": TestReportsAreStoredOnceAndForgedOnesApart, "trusted": TestTrustedFilesAreTakenForProven,
		"show": TestShowTellsWhoSendsAndWhatIsNew, "names": TestShowNamesHostsByReverseDNSThatIsConfirmed,
		"rollout": TestRolloutTellsTheStepAndTheRecord, "blocks": TestRolloutNamesWhatBlocks,
		"check": TestCheckFindsWhatHasChanged, "stopped": TestCheckFindsThatReportsStopped, "once": TestCheckSaysItOnceAndMailsIt,
		"pages": TestPagesAnswerWhoSendsAndWhatToDo, "next page": TestNamesOfHostsAreOnTheNextPage,
		"write": TestWriteMakesFilesOfWhatIsDue, "send": TestWriteSaysWhatItWouldSendAndSendsThatOnce,
	} {
		t.Run(name, test)
	}
}
