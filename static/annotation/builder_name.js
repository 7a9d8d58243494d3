// A new study's short name follows its title until somebody writes one.

const LONGEST = 60;

function shortened(title) {
  return title
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, LONGEST)
    .replace(/^-+|-+$/g, "");
}

export function nameFromTitle(form) {
  const { title, slug } = form.elements;
  let isFollowing = slug.value === "";
  title.addEventListener("input", () => {
    if (isFollowing) slug.value = shortened(title.value);
  });
  slug.addEventListener("input", () => {
    isFollowing = slug.value === "";
  });
}
