package limit

import (
	"math"
	"testing"
	"time"
)

func TestZeroIsTheDefaultAndANegativeNumberNoLimit(t *testing.T) {
	for _, row := range []struct{ n, want int }{{0, 10}, {3, 3}, {-1, math.MaxInt}, {math.MinInt, math.MaxInt}} {
		if got := Of(row.n, 10); got != row.want {
			t.Errorf("Of(%d, 10) = %d, want %d", row.n, got, row.want)
		}
	}
	if got := Of(-time.Second, time.Minute); got != math.MaxInt64 {
		t.Errorf("a negative duration is %d", got)
	}
}
