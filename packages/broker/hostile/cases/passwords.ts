import type { Case } from "../case.ts"
export const passwordCases: readonly Case[] = []
