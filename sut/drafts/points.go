package drafts

// Point is a place on a draft's way where a process can end and something is half done.
type Point string

// The points, in the order in which a draft passes them.
const (
	PointQueued   Point = "queued"   // in the queue; its key is not written down, the caller not answered
	PointCreated  Point = "created"  // its key is being written down; the caller is not answered
	PointClaimed  Point = "claimed"  // taken from the queue; nothing is sent
	PointSending  Point = "sending"  // the attempt is written down; the call is not made
	PointAnswered Point = "answered" // the API has accepted it; that is not written down
	PointAccepted Point = "accepted" // that is being written down; the queue still has the draft
	PointFinished Point = "finished" // the queue has let go of it
	PointHeld     Point = "held"     // its outcome is unknown; that is in the queue
	PointNoted    Point = "noted"    // a status is in the books, not in the journal; the webhook is not acknowledged
	PointStored   Point = "stored"   // and in the journal; the webhook is not acknowledged
)

// Points lists every point.
func Points() []Point {
	return []Point{
		PointQueued, PointCreated, PointClaimed, PointSending, PointAnswered, PointAccepted, PointFinished, PointHeld,
		PointNoted, PointStored,
	}
}

// at tells that a draft has come to a point.
func (s *Service) at(p Point) {
	if s.w.At != nil {
		s.w.At(p)
	}
}
