import type { Case } from "../case.ts"
export const accessCases: readonly Case[] = []
