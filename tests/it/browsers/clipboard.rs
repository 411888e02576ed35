//! The clipboard of a session.

use serde_json::json;

use super::stage::Stage;

const PAGE: &str = "<p id=text>read this</p><input id=field value='take that'><input id=guarded><script>
    const log = [];
    for (const type of ['keydown', 'copy', 'paste']) addEventListener(type, () => log.push(type));
    guarded.onpaste = (event) => { event.preventDefault(); guarded.value = `<${event.clipboardData.getData('text/plain')}>` };
</script>";

browser_tests! {
    async fn the_clipboard_is_the_sessions_own() -> Result<()> {
        let stage = Stage::page(PAGE).await?;
        let other = stage.bench.client.sessions().create().send().await?;
        let clipboard = stage.session.clipboard();
        for text in ["one\ntwo \"three\" ${4} ü😀", ""] {
            clipboard.set(text).await?;
            assert_eq!(clipboard.get().await?, text);
        }
        clipboard.set("mine").await?;
        assert_eq!(other.clipboard().get().await?, "");
        // The page learns nothing of it.
        assert_eq!(stage.log().await?, json!([]));
        stage.keeps_to_the_document();
        Ok(())
    }

    async fn what_is_selected_is_copied() -> Result<()> {
        let stage = Stage::page(PAGE).await?;
        let clipboard = stage.session.clipboard();
        clipboard.set("before").await?;
        assert_eq!(clipboard.copy().await?, "");
        assert_eq!(clipboard.get().await?, "before");
        stage.run("getSelection().selectAllChildren(text)").await?;
        assert_eq!(clipboard.copy().await?, "read this");
        stage.run("field.select()").await?;
        assert_eq!(clipboard.copy().await?, "take that");
        assert_eq!(clipboard.get().await?, "take that");
        Ok(())
    }

    async fn the_keyboard_has_it_too() -> Result<()> {
        let stage = Stage::page(PAGE).await?;
        let (clipboard, keyboard) = (stage.session.clipboard(), stage.session.keyboard());
        stage.session.mouse().click_on("#field").send().await?;
        keyboard.shortcut(["Control", "a"]).send().await?;
        keyboard.shortcut(["Control", "x"]).send().await?;
        assert_eq!(clipboard.get().await?, "take that");
        assert_eq!(stage.run("return field.value").await?, "");
        clipboard.set("given").await?;
        keyboard.shortcut(["ControlOrMeta", "v"]).send().await?;
        assert_eq!(stage.run("return field.value").await?, "given");
        Ok(())
    }

    async fn pasting_asks_the_page_first() -> Result<()> {
        let stage = Stage::page(PAGE).await?;
        let clipboard = stage.session.clipboard();
        clipboard.set("kept").await?;
        stage.run("field.select()").await?;
        clipboard.paste("pasted").await?;
        stage.run("guarded.focus()").await?;
        clipboard.paste("pasted").await?;
        assert_eq!(stage.run("return [field.value, guarded.value]").await?, json!(["pasted", "<pasted>"]));
        assert_eq!(clipboard.get().await?, "kept");
        Ok(())
    }

    async fn no_secure_context_is_needed() -> Result<()> {
        let stage = Stage::page("").await?;
        stage.session.goto("data:text/html,<input id=field value=here autofocus>").await?;
        assert_eq!(stage.run("field.select(); return isSecureContext").await?, false);
        let clipboard = stage.session.clipboard();
        assert_eq!(clipboard.copy().await?, "here");
        clipboard.set("there").await?;
        assert_eq!(clipboard.get().await?, "there");
        Ok(())
    }
}
