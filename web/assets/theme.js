/* Made by go generate in web. */
(()=>{try{let t=localStorage.getItem("theme");(t==="light"||t==="dark")&&(document.documentElement.dataset.theme=t)}catch{}})();
