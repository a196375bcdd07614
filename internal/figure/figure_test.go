package figure_test

import (
	"math"
	"testing"

	"github.com/mailverdict/mailverdict/internal/figure"
)

func TestThousandsHaveCommas(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -999: "-999", -123456: "-123,456", math.MinInt64: "-9,223,372,036,854,775,808"} {
		if got := figure.Of(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	if got := figure.Of(uint64(math.MaxUint64)); got != "18,446,744,073,709,551,615" {
		t.Error(got)
	}
}
