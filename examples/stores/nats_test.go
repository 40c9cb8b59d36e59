package stores_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/aftershock-dev/aftershock/replay"
)

// queued makes a sender whose queue is a JetStream stream of a server in this process: within ackWait a message has to be sent, or
// it is handed out again.
func queued(t *testing.T, ackWait time.Duration) func(replay.Surroundings) (replay.Sender, error) {
	return func(s replay.Surroundings) (replay.Sender, error) {
		node, err := server.NewServer(&server.Options{DontListen: true, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
		if err != nil {
			return replay.Sender{}, err
		}
		node.Start()
		stop := func() { node.Shutdown(); node.WaitForShutdown() }
		if !node.ReadyForConnections(time.Minute) {
			stop()
			return replay.Sender{}, errors.New("the NATS server is not ready")
		}
		conn, err := nats.Connect("", nats.InProcessServer(node))
		if err != nil {
			stop()
			return replay.Sender{}, err
		}
		close := func() { conn.Close(); stop() }
		queue, messages, err := stream(conn, ackWait)
		if err != nil {
			close()
			return replay.Sender{}, err
		}
		api := newAPI(s)
		return replay.Sender{
			Handler: frontDoor(func(ctx context.Context, m []byte) error { _, err := queue.Publish(ctx, "queue", m); return err }),
			Run: func(ctx context.Context) error {
				defer close()
				slots := make(chan struct{}, 64)
				consuming, err := messages.Consume(func(m jetstream.Msg) {
					slots <- struct{}{}
					go func() {
						defer func() { <-slots }()
						if err := api.send(ctx, m.Data()); err != nil {
							t.Error(err)
							return
						}
						_ = m.Ack() // too late, it is handed out again
					}()
				})
				if err != nil {
					return err
				}
				<-ctx.Done()
				consuming.Stop()
				<-consuming.Closed()
				for range cap(slots) { // what is under way
					slots <- struct{}{}
				}
				return nil
			},
		}, nil
	}
}

// stream makes a work queue in memory and its consumer.
func stream(conn *nats.Conn, ackWait time.Duration) (jetstream.JetStream, jetstream.Consumer, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "queue", Storage: jetstream.MemoryStorage, Retention: jetstream.WorkQueuePolicy}); err != nil {
		return nil, nil, err
	}
	c, err := js.CreateConsumer(ctx, "queue", jetstream.ConsumerConfig{Durable: "sender", AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait})
	return js, c, err
}

// A message that takes longer than the queue's patience is handed out again, and sent twice.
func TestNATSHandsOutAgain(t *testing.T) {
	t.Parallel()
	r := twice(t, queued(t, 2*time.Second))
	if verdict, _ := r.Verdict(); verdict != "missed" || r.Duplicates() == 0 || r.Delivered() != r.Offered() {
		t.Fatalf("%d copies, %s:\n%s", r.Duplicates(), verdict, r)
	}
	why, err := r.Explain("duplicates")
	if err != nil || !strings.Contains(why, "sent again while the send before was") {
		t.Errorf("%v\n%s", err, why)
	}
	t.Logf("%d messages, %d copies too many\n%s", r.Offered(), r.Duplicates(), why)
}

// With more patience than the client that sends has, nobody gets a message twice.
func TestNATS(t *testing.T) {
	t.Parallel()
	if r := twice(t, queued(t, time.Minute)); !r.Met() {
		t.Fatal(r)
	}
}
