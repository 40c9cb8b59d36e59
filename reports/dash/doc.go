// Package dash is the live view of a run: one more reader of the record.
//
// Everything it shows comes from one stream, the events and gauges of the record. A viewer reads the past from the
// run's files and then follows them, in this process or over a socket, so a run never waits for a viewer and never
// keeps anything for one.
//
// # For whoever runs a scenario
//
// The run writes its record as always. The rest is three values and one call, all of them outside the bubble:
//
//	hub := dash.NewHub(writer.Dir(), writer.Subscribe)   // many viewers, one record
//	control := hub.Control(mine)                         // mine implements Control; viewers then see pause and speed
//	ui := dash.ChooseUI("auto", os.Getenv, dash.TTY{In: …, Out: …})
//
//	err := dash.Run(ctx, dash.Options{Source: hub, Control: control, Owner: true, UI: ui, …})
//
// Run returns when the run has ended and its last item is shown, when the user left (ErrLeft), or when the user
// detached (ErrDetached): the run then goes on, and Run may be called again with UI Plain. To let others watch:
//
//	socket, err := dash.ListenSocket(id)                 // 0600, for "aftershock watch RUN"
//	err = dash.Serve(ctx, dash.Handler(dash.Server{Hub: hub, Control: control}), socket)
//
// # How it is drawn
//
// A History takes items in (Feed) and gives a Snapshot for one screen; Render turns a Snapshot, a size and the
// terminal's capabilities into text. Both are plain functions of their inputs; Model is the bubbletea shell around
// them. Bubbletea reads the keys and runs the loop; screen paints, because it sends the cells that changed and not
// the lines (see diff), and because a terminal that is slow must hold up neither keys nor stream.
//
// Where the thresholds stand is judged from the gauges while a run goes on (judge), once for all viewers of a Hub, and
// told to them as events without a number. A record that holds threshold events of its own is left to speak for
// itself, and a finished run tells what its summary says.
//
// A new panel is one entry in the table of charts (charts.go), or one function in tables.go, and a place in layout.go.
package dash
