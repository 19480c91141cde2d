/** For `vi.waitFor`: a busy machine takes its time. */
export const patience = { timeout: 20_000 } as const
