import type { Case } from "../case.ts"
export const commandCases: readonly Case[] = []
