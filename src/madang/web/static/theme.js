// Before the first paint: light or dark as it was chosen, else as the system has it.
"use strict";
try {
  const chosen = localStorage.getItem("madang-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch (_) { /* storage may be forbidden: then the system's choice stands */ }
