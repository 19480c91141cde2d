// @puremq/tls13/trace: what can be made of the events that a connection gives to its trace sink.

export type { Direction, SecretName, TraceEvent, TraceSink } from "./events.ts"
export { keyLogLine } from "./keylog.ts"
export { type Detail, describe } from "./words.ts"
