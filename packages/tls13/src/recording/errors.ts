/** A text that is no recording, or none that can be run: one line that says where, and what to do. Thrown for whatever is in it, and nothing else. */
export class RecordingError extends Error {
  override readonly name = "RecordingError"
}
