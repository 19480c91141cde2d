import type { Case } from "../case.ts"
export const crowdCases: readonly Case[] = []
