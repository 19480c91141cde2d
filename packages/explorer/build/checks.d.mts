/** The checks that can be left out, by their names. */
export const checks: readonly { readonly name: string }[]
