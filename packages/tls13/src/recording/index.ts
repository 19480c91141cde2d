// Entry `@puremq/tls13/recording`: connections that are recorded, and recordings that are run again. docs/record-and-replay.md

export type { ConnectionRecorder } from "../connection/recorder.ts"
export { RecordingError } from "./errors.ts"
export { longestRecording } from "./read.ts"
export { createRecorder, type RecorderOptions } from "./recorder.ts"
export { redact } from "./redact.ts"
export { type Difference, Replay, type ReplayOptions, type ReplayResult, type ReplayStep, replay } from "./replay.ts"
export type { RecordingSink } from "./tape.ts"
