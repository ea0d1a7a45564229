// Package lastuse keeps when images were last used, and since when that has been
// watched. [Log] is what is known, [View] the same at one moment, which nobody
// changes any more, and [File] where it outlasts the process. Who looks at the store
// is in package recorder.
//
// Nothing is known of a use that left no trace while nobody watched. So a gap begins
// the watch anew, unless it is as short as that of a restart ([Bridged]). All times
// move forward only, but for what tells how long has been watched.
package lastuse
