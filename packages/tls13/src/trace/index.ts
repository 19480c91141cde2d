// @puremq/tls13/trace: what can be made of the events that a connection gives to its trace sink.

export { type CaptureFile, readCaptureFile } from "./capture-file.ts"
export type { Direction, SecretName, TraceEvent, TraceSink } from "./events.ts"
export { TraceFileError } from "./file-error.ts"
export { keyLogLine } from "./keylog.ts"
export { type ConnectionCapture, type Endpoint, type PcapngOptions, PcapngWriter } from "./pcapng.ts"
export { readSavedTrace, type SavedTrace, type TimedEvent, writeSavedTrace } from "./saved-trace.ts"
export { type CapturedConnection, type CapturedPiece, type CapturedStream, unbrokenBytes } from "./tcp-streams.ts"
export { type Detail, describe } from "./words.ts"
