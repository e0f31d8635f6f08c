// Shows the OpenAPI document with ReDoc, in the colours that the system prefers.
'use strict';

const dark = matchMedia('(prefers-color-scheme: dark)');
dark.addEventListener('change', () => location.reload()); // ReDoc takes its colours once

const sans = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const mono = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace';

const light = { page: '#ffffff', side: '#f7f8fa', panel: '#1d232b', code: '#161b22', ink: '#1b2028', soft: '#5b6472', line: '#e3e6ea', accent: '#2456c9', tint: '#f0f2f5', badge: '#a3324e' };
const night = { page: '#15181d', side: '#1a1e24', panel: '#0f1216', code: '#0b0d10', ink: '#e4e7ec', soft: '#a0a8b4', line: '#2c323b', accent: '#86acff', tint: '#222831', badge: '#ff9bb0' };
const colour = dark.matches ? night : light;

const reference = document.getElementById('reference');
Redoc.init(reference.dataset.document, {
  disableSearch: false,
  expandResponses: '200,201',
  hideDownloadButtons: true, // the page's own bar links to the document
  nativeScrollbars: true,
  requiredPropsFirst: true,
  scrollYOffset: () => document.querySelector('.bar').offsetHeight,
  theme: {
    colors: {
      primary: { main: colour.accent, light: colour.tint, dark: colour.accent },
      text: { primary: colour.ink, secondary: colour.soft },
      border: { light: colour.line, dark: colour.line },
      gray: { 50: colour.tint, 100: colour.tint },
      error: { main: dark.matches ? '#ff8f8f' : '#b3261e' },
      success: { main: dark.matches ? '#6fd39a' : '#146c3c' },
      http: { get: '#2f8132', post: '#1f5fbf', put: '#95507c', patch: '#8f5a12', delete: '#b3302a', options: '#6b5a1e', head: '#7a4a86', basic: '#666666', link: '#07767a' },
    },
    schema: { linesColor: colour.line, nestedBackground: colour.tint, typeNameColor: colour.soft, typeTitleColor: colour.soft, requireLabelColor: colour.badge, defaultDetailsWidth: '75%' },
    typography: {
      fontSize: '15px', lineHeight: '1.6', fontFamily: sans, smoothing: 'auto', optimizeSpeed: false,
      headings: { fontFamily: sans, fontWeight: '600', lineHeight: '1.3' },
      code: { fontFamily: mono, fontSize: '13px', color: colour.badge, backgroundColor: colour.tint, wrap: true },
      links: { color: colour.accent, visited: colour.accent, hover: colour.accent },
    },
    sidebar: { width: '280px', backgroundColor: colour.side, textColor: colour.ink, activeTextColor: colour.accent },
    rightPanel: { backgroundColor: colour.panel, textColor: '#e8ebf0' },
    codeBlock: { backgroundColor: colour.code },
  },
}, reference);
