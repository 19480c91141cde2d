/** A file that is not what it should be, or is more than is read: one line, which completes "FILE: ...". Thrown, whatever the file is. */
export class TraceFileError extends Error {
  override readonly name = "TraceFileError"
}
