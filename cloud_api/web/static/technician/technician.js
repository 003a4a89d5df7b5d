// The technicians' pages made lively: parts that change by themselves, and forms that lose nothing on a weak network.

import { keepFresh } from "../parts.js";
import { keepForms } from "./forms.js";

document.querySelectorAll("[data-part]").forEach(keepFresh);
keepForms();
