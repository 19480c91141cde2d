// The twelve lessons, in the order in which they are best read.

import { beginning } from "./beginning.ts"
import { later } from "./later.ts"
import type { Lesson } from "./lesson.ts"
import { protection } from "./protection.ts"
import { trust } from "./trust.ts"

export const lessons: readonly Lesson[] = [...beginning, ...trust, ...protection, ...later]
