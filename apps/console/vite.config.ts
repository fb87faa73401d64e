import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** The console: hashed files, nothing inline, so that script-src 'self' and style-src 'self' hold. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    license: { fileName: 'licenses.md' },
  },
  server: { proxy: { '/api': { target: process.env.QUARTERDECK_URL ?? 'http://127.0.0.1:7070', ws: true } } },
})
