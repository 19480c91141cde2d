// What plays and knows, without the page around it.

export { keyLogLine } from "@puremq/tls13/trace"
export { judge } from "./certificates/judge.ts"
export { makeChain, type Wishes } from "./certificates/make.ts"
export { type DerNode, derTree } from "./certificates/tree.ts"
export { observe } from "./observe/observer.ts"
export { NotReadable, readPasted } from "./observe/pasted.ts"
export { nothingKnown, readKeyLog } from "./observe/secrets.ts"
export { breaks } from "./run/breaks.ts"
export { castOf, now } from "./run/cast.ts"
export { fast, noble } from "./run/providers.ts"
export { play, type RunOptions } from "./run/run.ts"
export { scenarios } from "./run/scenarios.ts"
