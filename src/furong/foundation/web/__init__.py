"""The frame every site stands in: templates, components, forms, languages, problem details, headers, logs and health.

Pages are rendered on the server and work without script. Standards: WCAG 2.2 AA, RFC 9457 (problem details), CSP level 3.
No rule of any domain lives here.
"""
