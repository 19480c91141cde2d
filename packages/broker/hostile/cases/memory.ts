import type { Case } from "../case.ts"
export const memoryCases: readonly Case[] = []
