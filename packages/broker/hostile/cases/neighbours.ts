import type { Case } from "../case.ts"
export const neighbourCases: readonly Case[] = []
