import type { Exercise } from "./exercises.mjs"

export function makeScratch(root: string, folder: string, exercise: Exercise): void
export function hasScratch(folder: string): boolean
export function emptied(text: string, names: readonly string[], title: string): string
