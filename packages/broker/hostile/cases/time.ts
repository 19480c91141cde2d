import type { Case } from "../case.ts"
export const timeCases: readonly Case[] = []
