// The processes that `tls13 bench` starts.

import { fileURLToPath } from "node:url"
import { Child } from "./children.ts"
import type { Task, Told } from "./messages.ts"

/** Beside dist/ and src/ alike. */
const program = fileURLToPath(new URL("../../../bin/tls13-bench-child.js", import.meta.url))

export type OwnChild = Child<Told>

/** @param what it is, for people */
export function startChild(task: Task, what: string): OwnChild {
  return new Child(program, task, what)
}
