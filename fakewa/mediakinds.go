package fakewa

import "strings"

// mediaKind is a type of file that the API takes.
type mediaKind struct {
	mime string
	kind string // of message
	most int64  // bytes
}

const mib = 1 << 20

// maxUpload is the largest file of any type.
const maxUpload int64 = 100 * mib

// mediaKinds lists the types of files by MIME type, in the order in which the error for a wrong one names them.
var mediaKinds = byMIME([]mediaKind{
	{"text/plain", "document", 100 * mib},
	{"video/mp4", "video", 16 * mib},
	{"video/3gpp", "video", 16 * mib},
	{"image/jpeg", "image", 5 * mib},
	{"image/png", "image", 5 * mib},
	{"image/webp", "sticker", 500 << 10},
	{"audio/aac", "audio", 16 * mib},
	{"audio/mp4", "audio", 16 * mib},
	{"audio/mpeg", "audio", 16 * mib},
	{"audio/amr", "audio", 16 * mib},
	{"audio/ogg", "audio", 16 * mib},
	{"audio/opus", "audio", 16 * mib},
	{"application/vnd.ms-powerpoint", "document", 100 * mib},
	{"application/msword", "document", 100 * mib},
	{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "document", 100 * mib},
	{"application/vnd.openxmlformats-officedocument.presentationml.presentation", "document", 100 * mib},
	{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "document", 100 * mib},
	{"application/pdf", "document", 100 * mib},
	{"application/vnd.ms-excel", "document", 100 * mib},
})

const mediaKindNames = "text/plain, video/mp4, video/3gpp, image/jpeg, image/png, image/webp, audio/aac, audio/mp4, audio/mpeg, audio/amr, audio/ogg, audio/opus, application/vnd.ms-powerpoint, application/msword, application/vnd.openxmlformats-officedocument.wordprocessingml.document, application/vnd.openxmlformats-officedocument.presentationml.presentation, application/vnd.openxmlformats-officedocument.spreadsheetml.sheet, application/pdf, application/vnd.ms-excel"

func byMIME(list []mediaKind) map[string]mediaKind {
	out := map[string]mediaKind{}
	for _, k := range list {
		out[k.mime] = k
	}
	return out
}

// cleanMIME returns a MIME type in lower case and without parameters.
func cleanMIME(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return strings.ToLower(strings.TrimSpace(s))
}
