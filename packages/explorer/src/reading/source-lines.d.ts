// What build/source-lines.mjs cuts out of the sources of the stack.

declare module "stack:source-lines" {
  export const lines: Readonly<Record<string, Readonly<Record<number, string>>>>
  export const places: Readonly<
    Record<string, { readonly file: string; readonly line: number; readonly name: string } | undefined>
  >
}
