use proptest::prelude::*;

use super::*;

fn text(source: &str) -> String {
    translate(source, Part::Text).unwrap()
}

fn html(source: &str) -> String {
    translate(source, Part::Html).unwrap()
}

fn problem(source: &str) -> String {
    translate(source, Part::Html).unwrap_err().to_string()
}

#[test]
fn fields_become_steps_from_the_dot() {
    assert_eq!(text("Hi {{ .Data.full_name }}!"), "Hi {{ dot[\"Data\"][\"full_name\"] }}!");
    assert_eq!(text("{{.Token}}{{ $.Email }}"), "{{ dot[\"Token\"] }}{{ dot[\"Email\"] }}");
    assert_eq!(text("{{ index .Data \"first-name\" 0 }}"), "{{ dot[\"Data\"][\"first-name\"][(0)] }}");
}

#[test]
fn conditions_loops_and_scopes_are_carried_over() {
    assert_eq!(
        text("{{ if .Token }}a{{ else if not .Email }}b{{ else }}c{{ end }}"),
        "{% if dot[\"Token\"] %}a{% elif (not dot[\"Email\"]) %}b{% else %}c{% endif %}"
    );
    assert_eq!(
        text("{{ if and .A (eq .B \"x\" `y`) }}z{{ end }}"),
        "{% if (dot[\"A\"] and (dot[\"B\"] == \"x\" or dot[\"B\"] == \"y\")) %}z{% endif %}"
    );
    assert_eq!(
        text("{{ range .Data.items }}{{ .name }}{{ $.Email }}{{ . }}{{ end }}{{ .A }}"),
        "{% for d0 in dot[\"Data\"][\"items\"]|go_each %}{{ d0[\"name\"] }}{{ dot[\"Email\"] }}{{ d0 }}\
         {% endfor %}{{ dot[\"A\"] }}"
    );
    assert_eq!(
        text("{{ with .Data }}{{ .x }}{{ else }}{{ .Email }}{{ end }}"),
        "{% with d0 = dot[\"Data\"] %}{% if d0 %}{{ d0[\"x\"] }}{% else %}{{ dot[\"Email\"] }}\
         {% endif %}{% endwith %}"
    );
}

#[test]
fn trim_marks_comments_and_line_breaks_stay() {
    assert_eq!(text("a {{- .A -}} b"), "a {{- dot[\"A\"] -}} b");
    assert_eq!(text("{{/* a }} \n b */}}x"), "{# \n #}x");
    assert_eq!(text("{{- /* a */ -}}x"), "{#-  -#}x");
    let source = "{{ if\n .A }}\n{{ .B\n}}{{ end }}\n";
    assert_eq!(text(source).matches('\n').count(), source.matches('\n').count());
}

#[test]
fn what_minijinja_would_read_as_a_block_is_text() {
    assert_eq!(text("a{%b{#c}"), "a{{ \"{%\" }}b{{ \"{#\" }}c}");
}

#[test]
fn values_in_html_are_escaped_for_their_place() {
    assert_eq!(
        html(
            "<a href=\"{{ .SiteURL }}/x?t={{ .TokenHash }}&n={{ .RedirectTo | urlquery }}\">{{ .Email }}</a>"
        ),
        "<a href=\"{{ dot[\"SiteURL\"]|go_url_start }}/x?t={{ dot[\"TokenHash\"]|go_url_query }}\
         &n={{ (dot[\"RedirectTo\"]|go_percent_encode) }}\">{{ dot[\"Email\"] }}</a>"
    );
    let one_link = html("<a href=\"{{ if .A }}{{ .A }}{{ else }}{{ .B }}{{ end }}\">{{ .C }}</a>");
    assert_eq!(one_link.matches("|go_url_start").count(), 2);
}

#[test]
fn errors_name_the_line_and_the_problem() {
    for (source, expected) in [
        ("a\nb {{ .A ", "line 2: {{ is never closed by }}"),
        ("\n\n{{ if .A }}\nx", "line 4: {{ if }} has no {{ end }}"),
        ("{{ end }}", "line 1: {{ end }} without {{ if }}"),
        ("{{ else }}", "line 1: {{ else }} without {{ if }}"),
        ("{{ if .A }}{{ else }}{{ else }}{{ end }}", "line 1: {{ else }} without {{ if }}"),
        ("{{ }}", "line 1: {{ }} is empty"),
        ("\n{{ printf \"%s\" .A }}", "line 2: the function printf is not supported"),
        ("{{ $x := .A }}", "line 1: the variable $x is not supported, only $ itself"),
        ("{{ template \"x\" }}", "line 1: {{ template }} is not supported in mails"),
        ("{{ .A .B }}", "line 1: only functions take arguments"),
        ("{{ if }}{{ end }}", "line 1: a value is missing"),
        ("{{ not .A .B }}", "line 1: the function not has the wrong number of arguments"),
        ("{{ eq .A \"x }}", "line 1: {{ is never closed by }}"),
        ("{{ (.A }}", "line 1: ( is never closed by )"),
        ("{{ .A) }}", "line 1: \")\" is not understood here"),
        ("{{ .A-b }}", "line 1: '-' is not understood behind a name"),
        ("{{ 1_0 }}", "line 1: \"1_0\" is not understood here"),
    ] {
        assert_eq!(problem(source), expected, "{source}");
    }
    assert!(problem("<script>{{ .A }}</script>").contains("no value can stand here safely"));
    assert!(problem("<a {{ if .A }}href='{{ end }}x'>").contains("different places"));
    assert!(problem(&format!("{{{{ {}.A }}}}", "(".repeat(10_000))).contains("too many parentheses"));
}

proptest! {
    #[test]
    fn no_template_makes_it_panic(
        pieces in prop::collection::vec(prop_oneof![
            prop::sample::select(vec![
                "{{", "}}", "{{-", "-}}", " ", "if", "else", "end", "range", "with", ".", ".A", "$", "(", ")", "|",
                "\"", "`", "\\", "/*", "*/", "eq", "not", "index", "1", "-", "<a href=\"", "<script>", "<!--", ">",
                "</", "{%", "{#", "\n", "ü", "?",
            ]).prop_map(str::to_owned),
            any::<String>(),
        ], 0..24)
    ) {
        let source = pieces.concat();
        for part in [Part::Html, Part::Text] {
            if let Ok(translated) = translate(&source, part) {
                let compiled = minijinja::Environment::new().template_from_str(&translated).map(|_| ());
                prop_assert!(compiled.is_ok(), "{source:?} became {translated:?}: {compiled:?}");
            }
        }
    }
}
