// What plays and knows, without the page around it.

export { meaningOf } from "./meanings.ts"
export { endAt } from "./reading/ends.ts"
export { rungsOf } from "./reading/ladder.ts"
export { recordSubject, subjectAt, writerOf } from "./reading/subjects.ts"
export { breaks } from "./run/breaks.ts"
export { fast, noble } from "./run/providers.ts"
export { play, type RunOptions } from "./run/run.ts"
export { scenarios } from "./run/scenarios.ts"
export { sentenceOf } from "./words/sentence.ts"
