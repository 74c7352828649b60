"""HTML elements, tables and plots in SVG."""
