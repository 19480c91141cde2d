// What plays and knows, without the page around it.

export { breaks } from "./run/breaks.ts"
export { fast, noble } from "./run/providers.ts"
export { play, type RunOptions } from "./run/run.ts"
export { scenarios } from "./run/scenarios.ts"
