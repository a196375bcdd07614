package clock

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAMomentIsReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := Now()
		time.Sleep(time.Minute)
		var m Moment
		if passed := m.Now() - before; passed != time.Minute {
			t.Errorf("%s have passed", passed)
		}
		time.Sleep(time.Minute)
		if passed := m.Now() - before; passed != time.Minute {
			t.Errorf("in the same moment %s have passed", passed)
		}
		m = Moment{}
		if passed := m.Now() - before; passed != 2*time.Minute {
			t.Errorf("%s have passed", passed)
		}
	})
}
