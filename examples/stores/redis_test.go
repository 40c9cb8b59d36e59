package stores_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/aftershock-dev/aftershock/replay"
)

// A queue in Redis: the client dials redis:6379 as ever, and is connected to miniredis in memory.
func TestRedis(t *testing.T) {
	t.Parallel()
	r := twice(t, func(s replay.Surroundings) (replay.Sender, error) {
		store := miniredis.NewMiniRedis()
		client := redis.NewClient(&redis.Options{
			Addr: "redis:6379", PoolSize: 64,
			Dialer:                   func(context.Context, string, string) (net.Conn, error) { return store.Dial() },
			MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		})
		api := newAPI(s)
		work := func(ctx context.Context) {
			for ctx.Err() == nil {
				queued, err := client.BLPop(ctx, 5*time.Second, "queue").Result()
				switch {
				case errors.Is(err, redis.Nil), ctx.Err() != nil:
				case err != nil:
					t.Error(err)
					return
				default:
					if err := api.send(ctx, []byte(queued[1])); err != nil {
						t.Error(err)
					}
				}
			}
		}
		return replay.Sender{
			Handler: frontDoor(func(ctx context.Context, m []byte) error { return client.RPush(ctx, "queue", m).Err() }),
			Run: func(ctx context.Context) error {
				var parts sync.WaitGroup
				for range 16 {
					parts.Go(func() { work(ctx) })
				}
				<-ctx.Done()
				defer store.Close()
				err := client.Close()
				parts.Wait()
				return err
			},
		}, nil
	})
	if !r.Met() {
		t.Fatal(r)
	}
	t.Logf("%d messages, %d delivered, %d copies too many", r.Offered(), r.Delivered(), r.Duplicates())
}
