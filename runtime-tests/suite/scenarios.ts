// The suite, in the order of the table.

import { broker } from "./broker.ts"
import { handshakes } from "./handshakes.ts"
import type { Scenario } from "./host.ts"
import { kernels } from "./kernels.ts"
import { refusals } from "./refusals.ts"
import { small } from "./small.ts"

export type { Host } from "./host.ts"

export const scenarios: readonly Scenario[] = [...handshakes, ...small, ...refusals, broker, kernels]
