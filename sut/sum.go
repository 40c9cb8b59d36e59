package sut

// Sum adds the counters of two processes up, or of two lives of one; gauges are left out.
func Sum(a, b Stats) Stats {
	out := Stats{
		Front: a.Front + b.Front, Front503: a.Front503 + b.Front503, Answered: a.Answered + b.Answered, Refused: a.Refused + b.Refused,
		Creates: a.Creates + b.Creates, CreateFirst: a.CreateFirst + b.CreateFirst, CreateRetries: a.CreateRetries + b.CreateRetries,
		CreateTimeouts: a.CreateTimeouts + b.CreateTimeouts, CreateErrors: a.CreateErrors + b.CreateErrors,
		Sends: a.Sends + b.Sends, SendFirst: a.SendFirst + b.SendFirst, SendTimeouts: a.SendTimeouts + b.SendTimeouts, Send503: a.Send503 + b.Send503,
		API: a.API + b.API, APIFirst: a.APIFirst + b.APIFirst, APIErrors: a.APIErrors + b.APIErrors, MediaErrors: a.MediaErrors + b.MediaErrors,
		Expired: a.Expired + b.Expired, Failed: a.Failed + b.Failed, Dead: a.Dead + b.Dead, GivenUp: a.GivenUp + b.GivenUp,
		Held: a.Held + b.Held, Resolved: a.Resolved + b.Resolved, ResolvedLate: a.ResolvedLate + b.ResolvedLate,
		Illegal: a.Illegal + b.Illegal,
	}
	out.WhatsApp.Used, out.WhatsApp.Wasted = a.WhatsApp.Used+b.WhatsApp.Used, a.WhatsApp.Wasted+b.WhatsApp.Wasted
	out.DraftsOf.Used, out.DraftsOf.Wasted = a.DraftsOf.Used+b.DraftsOf.Used, a.DraftsOf.Wasted+b.DraftsOf.Wasted
	return out
}
